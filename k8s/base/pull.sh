#!/bin/bash
# Usage: pull.sh [SECONDS]
#
# Brings bundles and registries out of Azure Blob into the folder MODELS, as the pod's identity:
# once, or again every so many seconds. The server looks on, so a bundle comes in by one rename, and
# a registry after the bundles that it names. A bundle whose checksums do not fit, since it is being
# uploaded, is asked for again the next time. Whether one may serve, and whether the right key has
# signed it, is judged by the server, which hashes what it loads.

set -euo pipefail

if [[ $# -gt 0 ]]; then
    trap 'kill "$!" 2>/dev/null; exit 0' TERM
    while true; do
        sleep "$1" &
        wait "$!"
        "$BASH" "$0" &
        wait "$!" || echo "tries again in $1 s" >&2
    done
fi

incoming=$MODELS/.incoming
AZURE_CONFIG_DIR=$(mktemp -d)
export AZURE_CONFIG_DIR
trap 'rm -rf "$AZURE_CONFIG_DIR" "$incoming"' EXIT

blobs() { az storage blob "$@" --auth-mode login --account-name "$STORAGE_ACCOUNT"; }

# What a folder has there, as it is noted here once it has been taken.
declare -A there
note() { printf '%s/.pulled/%s' "$MODELS" "${1//\//:}"; }
is_new() { [[ ! -f $(note "$1") || $(<"$(note "$1")") != "${there[$1]}" ]]; }

# Fetches into $incoming: fetch PATTERN
fetch() {
    rm -rf "$incoming"
    mkdir -p "$incoming"
    blobs download-batch --source models --pattern "$1" --destination "$incoming" --output none
}

# Puts a bundle in place, or its signature where it is there already: take MODEL/VERSION
take() {
    local from=$incoming/$1 to=$MODELS/$1
    if ! (cd "$from" && sha256sum --check --strict --quiet SHA256SUMS); then
        echo "$1 is not whole" >&2
        return 1
    fi
    if [[ ! -d $to ]]; then
        mkdir -p "${to%/*}"
        mv "$from" "$to"
    elif [[ $(<"$from/SHA256SUMS") != $(<"$to/SHA256SUMS") ]]; then
        echo "$1 is another bundle than the one that is here: not taken" >&2
        return 1
    elif [[ -f $from/SHA256SUMS.sig ]]; then
        mv -f "$from/SHA256SUMS.sig" "$to/"
    fi
}

az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" \
    --federated-token "$(<"$AZURE_FEDERATED_TOKEN_FILE")" --output none
listing=$(blobs list --container-name models --num-results '*' \
    --query '[].[name, properties.etag]' --output tsv)
while IFS=$'\t' read -r name tag; do
    # shellcheck disable=SC2053 # It is a pattern.
    if [[ -n $name && $name == $BUNDLE_PATTERN ]]; then there[${name%/*}]+="$name $tag;"; fi
done <<<"$listing"

mkdir -p "$MODELS/.pulled"
for folder in "${!there[@]}"; do
    if [[ $folder == */* ]] && is_new "$folder"; then
        fetch "$folder/*"
        if take "$folder"; then printf '%s' "${there[$folder]}" >"$(note "$folder")"; fi
    fi
done
for model in "${!there[@]}"; do
    if [[ $model != */* && ${there[$model]} == *"$model/registry.json "* ]] && is_new "$model"; then
        fetch "$model/registry.json"
        mkdir -p "$MODELS/$model"
        mv -f "$incoming/$model/registry.json" "$MODELS/$model/"
        printf '%s' "${there[$model]}" >"$(note "$model")"
    fi
done
