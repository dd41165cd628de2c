# courier, as deploy/ and docker-compose.yml run it: `docker build -t courier:0.1.0 .`
# Nothing is written at run time (read-only root), and no user is needed beyond a number.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependencies bring a Node for machines that have an older one; here it is the image's.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="courier" \
      org.opencontainers.image.description="The notification service for Kubernetes platforms" \
      org.opencontainers.image.licenses="Apache-2.0"
# What is free above 1 MiB goes back to the system. By itself the C library raises that bound to all that was ever freed.
ENV NODE_ENV=production \
    MALLOC_TRIM_THRESHOLD_=1048576
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY bin ./bin
COPY templates ./templates
COPY deploy ./deploy
USER 65532:65532
EXPOSE 8080
# What is young is collected at 8 MiB, not 16: no slower, and smaller (docs/decisions/036).
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/bin/courier.js"]
