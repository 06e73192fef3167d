import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// One project a workspace, and a second one, `gateway:more` for instance, where there is a folder test-more. vitest 4
// dropped workspace files: this is an ordinary config that keeps the familiar name and is passed with --config.
// `turbo test` runs the projects apart, so that a package's tests can be run, and can fail, on their own.
const setUp = fileURLToPath(new URL('packages/testkit/src/servers.ts', import.meta.url))
// What is published, packed once for all tests of it.
const packed = fileURLToPath(new URL('infra/release/test-more/pack.ts', import.meta.url))
// The console, where the gateway looks for it.
const builtConsole = fileURLToPath(new URL('apps/console/test-more/built.ts', import.meta.url))
const withServers = [
  'packages/broker',
  'packages/store',
  'apps/cli',
  'apps/consumer',
  'apps/gateway',
  'apps/projector',
]
const withoutServers = [
  'packages/api',
  'packages/core',
  'packages/client',
  'packages/process',
  'packages/projection',
  'packages/servers',
  'packages/testkit',
  'apps/publisher',
  'infra/bench',
  'infra/local',
  'infra/chaos',
  'infra/observability',
]

// What is installed for a test that needs it takes its time.
const installMs = 600_000

// Their folders test-more use all of the machine, or measure time: one file at a time. Those of the others mostly
// wait.
const aloneInMore = ['apps/gateway', 'infra/bench', 'infra/chaos']

function projects(folder: string, globalSetup: string[], ofMore = globalSetup) {
  const name = folder.split('/')[1] ?? folder
  const project = (name: string, tests: string, globalSetup: string[], hookTimeout: number) => ({
    test: {
      name,
      root: folder,
      include: [`${tests}/**/*.test.ts`],
      globalSetup,
      experimental: { viteModuleRunner: false },
      testTimeout: 60_000,
      hookTimeout,
    },
  })
  const more = project(`${name}:more`, 'test-more', ofMore, installMs)
  const hasMore = existsSync(fileURLToPath(new URL(`${folder}/test-more`, import.meta.url)))
  return [
    project(name, 'test', globalSetup, 60_000),
    ...(hasMore ? [{ test: { ...more.test, ...(aloneInMore.includes(folder) && { maxWorkers: 1 }) } }] : []),
  ]
}

export default defineConfig({
  test: {
    passWithNoTests: false,
    // Most tests wait for servers and processes: on two cores, one worker would leave a core idle.
    maxWorkers: 2,
    reporters: process.env.SEKALI_REPORTS ? ['default', 'json'] : ['default'],
    outputFile: { json: `${process.env.SEKALI_REPORTS}/${process.env.npm_package_name ?? 'all'}.json` },
    projects: [
      ...withServers.flatMap((folder) => projects(folder, [setUp])),
      ...withoutServers.flatMap((folder) => projects(folder, [])),
      ...projects('apps/console', [], [setUp, builtConsole]),
      ...projects('infra/release', [], [setUp, packed]),
    ],
  },
})
