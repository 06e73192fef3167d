# The edge of docker-compose.yml: HAProxy as Debian has it, and nothing else. It is Debian's because there it gets its mends of
# security for years without another version.
ARG DEBIAN_IMAGE=debian:trixie-slim

FROM ${DEBIAN_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends haproxy && rm -rf /var/lib/apt/lists/*
COPY --chmod=0444 haproxy.cfg /etc/haproxy/haproxy.cfg
USER haproxy
# On SIGUSR1 it would wait for tails without end. It has nothing to lose.
STOPSIGNAL SIGTERM
ENTRYPOINT ["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"]
