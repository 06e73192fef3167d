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
  'apps/dispatcher',
]
const withoutServers = [
  'packages/api',
  'packages/core',
  'packages/client',
  'packages/process',
  'packages/projection',
  'packages/servers',
  'packages/testkit',
  'packages/webhook',
  'apps/publisher',
  'infra/bench',
  'infra/local',
  'infra/chaos',
  'infra/matrix',
  'infra/observability',
]

// What is installed for a test that needs it takes its time.
const installMs = 600_000

// Their folders test-more use all of the machine, or measure time: one file at a time. Those of the others mostly
// wait. Where some of a workspace do, they lie in a folder `alone` of it, and are a project of their own.
const aloneInMore = ['infra/bench', 'infra/chaos']

function projects(folder: string, globalSetup: string[], ofMore = globalSetup) {
  const name = folder.split('/')[1] ?? folder
  const project = (name: string, tests: string, globalSetup: string[], hookTimeout: number) => ({
    test: {
      name,
      root: folder,
      include: [`${tests}/**/*.test.ts`],
      globalSetup,
      experimental: { viteModuleRunner: false },
      // Ends what hangs, and nothing else: a test's own deadlines are shorter, and say what did not come.
      testTimeout: 180_000,
      hookTimeout,
      // A second, vitest's own, is short where other tests have the processor.
      expect: { poll: { timeout: 15_000 } },
    },
  })
  const exists = (tests: string) => existsSync(fileURLToPath(new URL(`${folder}/${tests}`, import.meta.url)))
  const more = (name: string, tests: string, changes: object = {}) => {
    const { test } = project(`${name}:more`, tests, ofMore, installMs)
    return exists(tests) ? [{ test: { ...test, ...changes } }] : []
  }
  const alone = { maxWorkers: 1 }
  return [
    project(name, 'test', globalSetup, 60_000),
    ...more(name, 'test-more', aloneInMore.includes(folder) ? alone : { exclude: ['test-more/alone/**'] }),
    ...more(`${name}:alone`, 'test-more/alone', alone),
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
