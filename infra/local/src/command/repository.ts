import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isBuilt, placeOf } from '@sekali/core/place'

/** The root of the clone, or the folder of what is built, with a slash at its end. */
export const repositoryRoot = fileURLToPath(placeOf(import.meta.url, '../../../../', './'))

const program = (inClone: string, inPackage: string) => repositoryRoot + (isBuilt ? inPackage : inClone)

/** The programs of the other workspaces, as files: they are started, never imported. */
export const programs = {
  gateway: program('apps/gateway/src/main.ts', 'gateway.mjs'),
  consumer: program('apps/consumer/src/main.ts', 'consumer.mjs'),
  preflight: program('apps/consumer/src/operate/preflight.ts', 'preflight.mjs'),
  projector: program('apps/projector/src/main.ts', 'projector.mjs'),
  dispatcher: program('apps/dispatcher/src/main.ts', 'dispatcher.mjs'),
  firstKey: program('apps/consumer/src/first-key.ts', 'first-key.mjs'),
  restored: program('apps/consumer/src/operate/restored.ts', 'restored.mjs'),
  migrate: program('apps/consumer/src/migrate.ts', 'migrate.mjs'),
  start: program('infra/local/src/start.ts', 'start.mjs'),
  publisher: program('apps/publisher/src/main.ts', 'publisher.mjs'),
} as const

/** Where data are kept unless `--data` says so: in the clone, and outside of one in the folder where one is. */
export const dataFolder = isBuilt ? resolve('.sekali') : `${repositoryRoot}.sekali`

/** What people type. */
export const startCommand = isBuilt ? 'npx @sekali/cli start' : 'npm start --'
export const cliCommand = isBuilt ? 'npx @sekali/cli' : 'npm run -s sekali --'
export const demoCommand = isBuilt ? 'npx @sekali/cli demo' : 'npm run demo --'
export const backupCommand = isBuilt ? 'npx @sekali/cli backup' : 'npm run backup --'
export const restoreCommand = isBuilt ? 'npx @sekali/cli restore' : 'npm run restore --'
