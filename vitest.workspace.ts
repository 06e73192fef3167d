import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// One project a workspace. vitest 4 dropped workspace files: this is an ordinary config that keeps the
// familiar name and is passed with --config. `turbo test` runs the projects apart, so that a package's
// tests can be run, and can fail, on their own.
const setUp = fileURLToPath(new URL('packages/testkit/src/servers.ts', import.meta.url))
const withServers = [
  'packages/broker',
  'packages/store',
  'apps/cli',
  'apps/consumer',
  'apps/gateway',
  'apps/projector',
]
const withoutServers = [
  'packages/core',
  'packages/client',
  'packages/process',
  'packages/projection',
  'packages/testkit',
  'apps/publisher',
  'infra/bench',
  'infra/local',
  'infra/chaos',
]

function project(folder: string, globalSetup: string[]) {
  return {
    test: {
      name: folder.split('/')[1] ?? folder,
      root: folder,
      include: ['test/**/*.test.ts'],
      globalSetup,
      experimental: { viteModuleRunner: false },
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  }
}

export default defineConfig({
  test: {
    passWithNoTests: false,
    // Most tests wait for servers and processes: on two cores, one worker would leave a core idle.
    maxWorkers: 2,
    reporters: process.env.SEKALI_REPORTS ? ['default', 'json'] : ['default'],
    outputFile: { json: `${process.env.SEKALI_REPORTS}/${process.env.npm_package_name ?? 'all'}.json` },
    projects: [
      ...withServers.map((folder) => project(folder, [setUp])),
      ...withoutServers.map((folder) => project(folder, [])),
    ],
  },
})
