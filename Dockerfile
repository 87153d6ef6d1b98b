# syntax=docker/dockerfile:1
# SPDX-License-Identifier: Apache-2.0
#   make image                                            for this machine
#   make image PLATFORMS=linux/amd64,linux/arm64          for both, by buildx
#   docker build -t ric-submgr .                          RMR as built in
#   docker build -t ric-submgr --build-arg LIBRMR=with --build-arg RMR_SHA256=... .
#                                                         with librmr beside it, for rmr.transport: librmr (amd64 only)
# The tag is the Python the tests run on. For a build that can be repeated to the byte give one with its digest.
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm
ARG LIBRMR=without

# Wheels only, in the versions and with the hashes of the locks: no compiler, and nothing that nobody has looked at.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.txt requirements-otel.txt ./
RUN python -m venv --without-pip /opt/submgr \
 && pip --python /opt/submgr/bin/python install --only-binary :all: --require-hashes \
    -r requirements.txt -r requirements-otel.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY submgr submgr
COPY mec mec
RUN pip --python /opt/submgr/bin/python install --no-deps --no-build-isolation .

# An empty directory, or librmr. Only the stage that is asked for is built.
FROM ${PYTHON_IMAGE} AS librmr-without
RUN mkdir /librmr

FROM ${PYTHON_IMAGE} AS librmr-with
ARG RMR_VERSION=4.9.4
ADD https://packagecloud.io/o-ran-sc/release/packages/debian/stretch/rmr_${RMR_VERSION}_amd64.deb/download.deb /rmr.deb
# The file is taken only with the checksum that you give: that of the release as you have checked it.
ARG RMR_SHA256
# the name without a version, which is the one that is loaded, comes with the development package only
RUN echo "${RMR_SHA256:?give --build-arg RMR_SHA256=, the SHA-256 of rmr_${RMR_VERSION}_amd64.deb}  /rmr.deb" \
    > /rmr.sha256 \
 && sha256sum --check --strict /rmr.sha256 \
 && dpkg -x /rmr.deb /librmr && ln -sf librmr_si.so.4 /librmr/usr/local/lib/librmr_si.so

# hadolint ignore=DL3006
FROM librmr-${LIBRMR} AS librmr

FROM ${PYTHON_IMAGE}
ARG VERSION=1.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ric-submgr" \
      org.opencontainers.image.description="E2 Subscription Manager and MEC services for an O-RAN near-real-time RIC" \
      org.opencontainers.image.licenses="Apache-2.0 AND LGPL-2.1-or-later AND MPL-2.0 AND MIT AND BSD-3-Clause" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=librmr /librmr/ /
COPY --from=build /opt/submgr /opt/submgr
# what is inside and under which licences, for who makes a bill of materials without running it
COPY requirements.txt requirements-otel.txt docs/licences.md LICENSE NOTICE /opt/submgr/share/
# a configuration to begin with; a mounted one takes its place
COPY config/submgr-config.yaml /cfg/submgr-config.yaml
# /data: the database file of a run without redis
RUN ldconfig && ln -s /opt/submgr/bin/submgr /submgr && install -d -o 10001 -g 10001 /data
ENV PATH=/opt/submgr/bin:$PATH CFG_FILE=/cfg/submgr-config.yaml RMR_STASH_RT=/tmp/submgr-routes.stash \
    PYTHONDONTWRITEBYTECODE=1
# a number, so that Kubernetes can see that it is not root; with redis, nothing below / has to be writable but /tmp
USER 10001:10001
# where the Go implementation's image has it: deployments start `./submgr`
WORKDIR /
EXPOSE 8088 8080 4560 4561 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-m", "submgr.healthcheck"]
# no shell and no init in between: it is process 1, and gets SIGTERM itself
ENTRYPOINT ["/submgr"]
CMD ["-f", "/cfg/submgr-config.yaml"]
