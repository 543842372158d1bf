# A static binary and the authorities it trusts; nothing else is in the image.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.version=$VERSION" -o /credsync ./cmd/credsync

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /credsync /credsync
USER 65532:65532
ENTRYPOINT ["/credsync"]
CMD ["run"]
