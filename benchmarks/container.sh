#!/usr/bin/env bash
# Builds the image with buildah and runs the demo in it as a plant would: no network, a read-only
# root, not as root. Prints the seconds and the size, and leaves the reports in OUT.
#
#   benchmarks/container.sh BASE_IMAGE [OUT]
#
# BASE_IMAGE is the Python 3.11 image to build on, python:3.11-slim-bookworm with its registry or a
# stand-in. What a machine needs beyond that comes from its environment, each a list of options:
#   BUILD_OPTIONS   to `buildah build`, such as --volume for certificates, --build-arg TORCH_INDEX=
#   PODMAN_OPTIONS  to `podman`, such as --runtime runc --cgroup-manager=cgroupfs
#   RUN_OPTIONS     to `podman run`, such as --ulimit nofile=1024:1024 --ulimit nproc=1024:1024
# STORAGE_DRIVER and BUILDAH_ISOLATION are read by the tools themselves.
set -euo pipefail

base=${1:?usage: benchmarks/container.sh BASE_IMAGE [OUT]}
out=$(realpath -m "${2:-demo-out/container}")
image=localhost/logscan:benchmark
cd "$(dirname "$0")/.."
mkdir -p "$out"
chmod 777 "$out" # the image's user, whatever id it maps to, writes here
read -ra build_options <<<"${BUILD_OPTIONS:-}"
read -ra podman_options <<<"${PODMAN_OPTIONS:-}"
read -ra run_options <<<"${RUN_OPTIONS:-}"
podman=(podman "${podman_options[@]}")

echo "== Building $image on $base"
SECONDS=0
buildah build --layers --build-arg "BASE=$base" "${build_options[@]}" --tag "$image" .
echo "built in $SECONDS s, $(buildah images --format '{{.Size}}' "$image")"

sandbox=(--rm --network none --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges
  --volume "$out:/out" "${run_options[@]}")
echo "== logscan --version in the container"
"${podman[@]}" run "${sandbox[@]}" "$image" --version
echo "== logscan demo /out in the container"
SECONDS=0
"${podman[@]}" run "${sandbox[@]}" "$image" demo /out
echo "demo took $SECONDS s; the reports are in $out"
find "$out" -name '*.html' -print
