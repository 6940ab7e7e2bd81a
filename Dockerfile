# The program in an image of its own, without the toolchain; docs/deployment.md says how to run it.
# RUN lines that need the network fetch Debian packages and the Swift packages of Package.swift, nothing else.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libssl-dev libsqlite3-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN swift build -c release --product switchboard --static-swift-stdlib \
    && strip --strip-all -o /switchboard .build/release/switchboard

FROM debian:bookworm-slim
# The same list stands in docs/deployment.md.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libsqlite3-0 libssl3 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 6001 --no-create-home --home-dir /var/lib/switchboard --shell /usr/sbin/nologin switchboard \
    && install --directory --owner=switchboard --group=switchboard --mode=700 /var/lib/switchboard
COPY --from=build /switchboard /usr/bin/switchboard

# In a container the loopback address is the container's own.
ENV BROKER_HOST=0.0.0.0 TICKETS_HOST=0.0.0.0 DATA_DIR=/var/lib/switchboard LOG_FORMAT=json
USER switchboard
WORKDIR /var/lib/switchboard
VOLUME /var/lib/switchboard
EXPOSE 6001 8000
# Asks as curl would, with what is in the image: bash opens the socket.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/bin/bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/${TICKETS_PORT:-8000} && printf 'GET /up HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == 'HTTP/1.1 200 '* ]]"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/switchboard"]
CMD ["serve"]
