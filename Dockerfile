# syntax=docker/dockerfile:1
# A static binary and the authorities it trusts; nothing else is in the image.
# Build it with docker, podman or buildah; for several systems at once:
#   docker buildx build --platform linux/amd64,linux/arm64 .
# Arguments: VERSION, REVISION (the commit) and CREATED (RFC 3339) for the labels;
# GO is an image with Go, a shell and /etc/ssl/certs/ca-certificates.crt.
ARG GO=golang:1.26

FROM --platform=$BUILDPLATFORM ${GO} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
ARG REVISION=
ARG TARGETOS=
ARG TARGETARCH=
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
      -ldflags="-s -w -X main.version=$VERSION -X main.commit=$REVISION" -o /out/credsync ./cmd/credsync \
    && mkdir -p /out/state

FROM scratch
ARG VERSION=
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="credsync" \
      org.opencontainers.image.description="Keeps the OAuth credentials of Alexa skills where your services read secrets" \
      org.opencontainers.image.source="https://github.com/credsync/credsync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/credsync /credsync
# For state_dir. A volume that is mounted here for the first time takes the owner
# from it; nothing else is ever written, and without state_dir neither is this.
COPY --from=build --chown=65532:65532 /out/state /var/lib/credsync
USER 65532:65532
# Of the daemon with http.listen; for sync and the like it means nothing.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/credsync", "healthcheck"]
ENTRYPOINT ["/credsync"]
CMD ["run"]
