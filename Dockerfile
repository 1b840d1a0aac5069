# Two stages: the first installs into a virtual environment, the second holds that environment and nothing else.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# An index with CPU builds of torch; empty means the index pip is set up with.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /src
# pip stands beside the environment, so that the final stage has none in it.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/logscan
# torch first: the large layer stays cached while the code changes.
COPY constraints.txt ./
RUN /opt/pip/bin/pip --python /opt/logscan/bin/python install --no-cache-dir --constraint constraints.txt \
    ${TORCH_INDEX:+--index-url "${TORCH_INDEX}"} torch
COPY pyproject.toml README.md LICENSE ./
COPY logscan ./logscan
RUN /opt/pip/bin/pip --python /opt/logscan/bin/python install --no-cache-dir --constraint constraints.txt .

FROM ${BASE}
LABEL org.opencontainers.image.title="logscan" \
      org.opencontainers.image.description="Find anomalies in long equipment and order logs, offline" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin logscan \
    && mkdir /data /models /out && chown logscan:logscan /models /out
COPY --from=build /opt/logscan /opt/logscan
# Any user id may run it (`--user`), the root may be read-only, and /tmp is the only scratch space.
# Two threads, as on the machines it is meant for: the usual default, every core of the host, ignores a
# container's CPU share. Scores repeat to the byte at equal threads; override with `--env OMP_NUM_THREADS=4`.
ENV PATH=/opt/logscan/bin:$PATH \
    HOME=/tmp USER=logscan LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE MALLOC_ARENA_MAX=2
USER logscan
WORKDIR /out
ENTRYPOINT ["logscan"]
CMD ["--help"]
