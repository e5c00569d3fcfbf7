# shellcheck shell=bash
# What the scripts share; sourced, never run.

here=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# Another swift may be named by the environment.
swift=${SWIFT:-swift}
release_flags=(-c release --static-swift-stdlib)

say() { printf '==> %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Prints the comment at the top of the running script.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$root/scripts/$(basename "$0")"; }

# A path as the caller meant it, from the folder where he stood.
absolute() { if [[ $1 == /* ]]; then echo "$1"; else echo "$here/$1"; fi; }

# Builds programs as they are released and sets `bin` to their folder. The build is always asked,
# so what runs is never older than its source: build_programs NAME...
build_programs() {
    local product
    for product in "$@"; do
        "$swift" build "${release_flags[@]}" --product "$product"
    done
    bin=$("$swift" build "${release_flags[@]}" --show-bin-path)
}

build_release() { build_programs inference-server pdm; }

# A model for callers to whom it does not matter which.
# shellcheck disable=SC2034
fixture_bundle=$root/Tests/ModelRuntimeTests/Fixtures/bundle-format-1

# Sets `python` to an interpreter with the pinned packages of a requirements file, in a virtual
# environment that is kept until the file changes: python_environment NAME-OR-PATH FILE
python_environment() {
    local folder=$root/.venv/$1 requirements=$2
    if [[ $1 == /* ]]; then folder=$1; fi
    python=$folder/bin/python
    cmp -s "$requirements" "$folder/requirements.txt" && return
    say "installing $requirements into $folder"
    rm -rf "$folder"
    python3 -m venv "$folder" \
        || fail "no virtual environment; as root: apt-get install python3-venv"
    # Said in so many words: where a caller can do without, errors do not end this by themselves.
    "$python" -m pip install --quiet --requirement "$requirements" || return
    cp "$requirements" "$folder/requirements.txt"
}

# The bundle of the newest version under a folder, whatever its model, or nothing.
newest_bundle() {
    [[ -d $1 ]] || return 0
    find "$1" -name manifest.json -path '*/[0-9]*_[0-9]*/*' -printf '%h\n' \
        | awk -F/ '{ print $NF "\t" $0 }' | sort | tail -n 1 | cut -f 2
}

# More options of `pdm train`, for a caller of make_bundle to set.
train_options=()

# From nothing to a bundle: make_bundle DATA_FOLDER MODELS_FOLDER EPOCHS [option of generate]...
make_bundle() {
    local data=$1 models=$2 epochs=$3
    shift 3
    mkdir -p "$data" "$models"
    say "generating a fleet"
    "$bin/pdm" generate --output "$data/sample_sensor_data.csv" "$@"
    say "cleaning and splitting"
    "$bin/pdm" preprocess --input "$data/sample_sensor_data.csv" --output "$data/processed" \
        --test-size 0.2 --new-layout
    say "building features"
    "$bin/pdm" features --input "$data/processed/train.csv" \
        --output "$data/processed/train_features.csv" --is-training true
    "$bin/pdm" features --input "$data/processed/test.csv" \
        --output "$data/processed/test_features.csv" --is-training false
    say "training"
    "$bin/pdm" train --train-data "$data/processed/train_features.csv" \
        --test-data "$data/processed/test_features.csv" \
        --epochs "$epochs" --batch-size 128 --output-dir "$models" "${train_options[@]}"
    say "evaluating"
    "$bin/pdm" evaluate --model-path "$(newest_bundle "$models")" \
        --test-data "$data/processed/test_features.csv" --output-dir "$data/evaluation"
}

# The body of a /predict request.
example_reading() {
    printf '%s' '{"equipment_id":"EQ001","temperature":85.5,"vibration":2.3,"pressure":95.0,' \
        '"rotation_speed":1350,"current":22.5,"operating_hours":1500}'
}

# Waits until the server with process id $1, logging to file $2, is ready; prints its port.
wait_until_ready() {
    local pid=$1 log=$2 port
    while kill -0 "$pid" 2>/dev/null; do
        port=$(sed -n '/listening/s/.*"port": *\([0-9][0-9]*\).*/\1/p' "$log" | head -n 1)
        if [[ -n $port ]] && curl -sf -o /dev/null "http://127.0.0.1:$port/readyz"; then
            echo "$port"
            return 0
        fi
        sleep 0.05
    done
    return 1
}
