# The image of every Siyu process. For production pin the base by digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:... .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
# The tools that build stay in this stage: only /opt/siyu goes on.
RUN python -m venv /opt/siyu && /opt/siyu/bin/pip install --require-hashes -r requirements.lock
RUN python -m venv /opt/tools && /opt/tools/bin/pip install --require-hashes -r requirements-build.lock
COPY . .
RUN /opt/tools/bin/python frontend/build.py \
    && /opt/tools/bin/pip wheel --no-build-isolation --no-deps --no-index --wheel-dir /wheels . \
    && /opt/siyu/bin/pip install --no-deps --no-index /wheels/*.whl

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin siyu \
    && install --directory --owner=siyu --group=siyu --mode=0700 /data
COPY --from=build /opt/siyu /opt/siyu
ENV PATH=/opt/siyu/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SIYU_DATA_DIR=/data SIYU_LOG_FORMAT=json
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["siyu"]
CMD ["api"]
