# SPDX-License-Identifier: MIT
#
# Three images. The server, with a small demonstration model that serves where no other is mounted:
#
#   docker build --tag predictive-maintenance:latest .
#   docker run -p 5000:5000 -e MODEL_DIR=/app/models/checkpoints predictive-maintenance:latest
#
# the training side, and the same with a shell, for Azure Machine Learning:
#
#   docker build --tag pdm:latest --target pdm .
#   docker build --tag pdm-shell:latest --target pdm-shell .

ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG SHELL_IMAGE=debian:bookworm-slim

# --- what running needs ---------------------------------------------------------------------------
# It has no versions, so it is pinned to a digest (of the index of all architectures). Move it for
# patches of glibc and OpenSSL: docker buildx imagetools inspect gcr.io/distroless/cc-debian12:nonroot
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f AS runtime

# --- what building needs --------------------------------------------------------------------------
FROM ${SWIFT_IMAGE} AS dependencies
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Headers follow the release of the base image; the newest patch of each is what we want.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        binutils libcurl4-openssl-dev libnghttp2-dev libssl-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Before the sources: packages are fetched again only when this file changes.
COPY Package.swift ./
RUN swift package resolve

# --- both programs, with the Swift runtime inside ---------------------------------------------------
FROM dependencies AS programs
COPY Sources Sources
COPY Benchmarks Benchmarks
COPY Fuzz Fuzz
COPY Tests Tests
COPY scripts/image-files scripts/image-files
# Libraries beside a program are found by its RPATH, those that libraries need as well.
RUN for program in inference-server pdm; do \
        swift build --configuration release --static-swift-stdlib --product "$program" \
            -Xlinker --disable-new-dtags || exit; \
    done \
    && scripts/image-files .build/release/inference-server /image/server \
    && scripts/image-files .build/release/pdm /image/pdm

# --- a model to show --------------------------------------------------------------------------------
FROM programs AS demonstration
COPY scripts/common.sh scripts/demonstration-bundle scripts/
RUN scripts/demonstration-bundle /image/pdm /image/models

# --- the training side ------------------------------------------------------------------------------
FROM runtime AS pdm
LABEL org.opencontainers.image.title="pdm" \
      org.opencontainers.image.description="Prepares data, trains, judges and writes model bundles" \
      org.opencontainers.image.licenses="MIT"
COPY --from=programs /image/pdm /app
COPY schemas /app/schemas
COPY specs /app/specs
COPY ml_pipeline/pipeline.json /app/pipeline.json
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/app/pdm"]

# --- the training side with what Azure ML calls: a shell -------------------------------------------
FROM ${SHELL_IMAGE} AS pdm-shell
LABEL org.opencontainers.image.title="pdm-shell" \
      org.opencontainers.image.description="pdm, with a shell" \
      org.opencontainers.image.licenses="MIT"
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 libstdc++6 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=pdm /app /app
# No other user than root: the folders that Azure ML mounts for a step are root's. In a pod it is
# told to be another.
WORKDIR /data

# --- the server, which is the default ---------------------------------------------------------------
FROM runtime AS predictive-maintenance
LABEL org.opencontainers.image.title="predictive-maintenance" \
      org.opencontainers.image.description="Answers sensor readings with the risk that the machine fails" \
      org.opencontainers.image.licenses="MIT"
COPY --from=programs /image/server /app
# A volume of models goes over this folder and hides it.
COPY --from=demonstration /image/models /app/models/checkpoints
ENV PDM_HOST=0.0.0.0 \
    MODEL_DIR=/app/models/checkpoints
EXPOSE 5000
USER 65532:65532
WORKDIR /app
# The server itself asks: there is no shell and no other client in here.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/app/inference-server", "--health-check"]
ENTRYPOINT ["/app/inference-server"]
