import { fileURLToPath } from 'node:url'

/** The root of the clone, with a slash at its end. */
export const repositoryRoot = fileURLToPath(new URL('../../../../', import.meta.url))

/** The programs of the other workspaces, as files: they are started, never imported. */
export const programs = {
  gateway: `${repositoryRoot}apps/gateway/src/main.ts`,
  consumer: `${repositoryRoot}apps/consumer/src/main.ts`,
  projector: `${repositoryRoot}apps/projector/src/main.ts`,
  migrate: `${repositoryRoot}apps/consumer/src/migrate.ts`,
  publisher: `${repositoryRoot}apps/publisher/src/main.ts`,
} as const
