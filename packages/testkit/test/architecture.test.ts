import { expect, test } from 'vitest'
import { doors, imports } from './imports.ts'

/** Which workspaces the code of a workspace may import; what stands nowhere is forbidden. */
const arrows: Record<string, readonly string[]> = {
  'packages/core': [],
  'packages/api': ['core', 'webhook'],
  'packages/process': ['core'],
  'packages/broker': ['core'],
  'packages/store': ['core'],
  'packages/client': ['core'],
  'packages/projection': ['core'],
  'packages/servers': ['core'],
  'packages/webhook': ['core'],
  'packages/testkit': ['core', 'api', 'broker', 'store', 'servers'],
  'apps/gateway': ['core', 'api', 'process', 'broker', 'store', 'webhook'],
  'apps/consumer': ['core', 'process', 'broker', 'store'],
  'apps/publisher': ['core', 'process', 'client'],
  'apps/cli': ['core', 'api', 'process', 'client', 'webhook'],
  // In a browser: of the client it has the types of answers.
  'apps/console': ['core', 'client'],
  'apps/projector': ['core', 'process', 'broker', 'store', 'projection'],
  'apps/dispatcher': ['core', 'process', 'broker', 'store', 'webhook'],
  'infra/bench': ['core', 'store', 'servers', 'local', 'webhook'],
  // With tests it shares the servers that fail over.
  'infra/chaos': ['broker', 'store', 'client', 'servers', 'local', 'testkit'],
  // Of the apps it imports the names of their settings, to pass them on, and what the publisher takes as a load; it starts
  // them as processes.
  'infra/local': [
    'core',
    'process',
    'servers',
    'store',
    'webhook',
    'gateway',
    'consumer',
    'projector',
    'dispatcher',
    'publisher',
  ],
  'infra/release': ['core', 'local', 'servers'],
  'infra/matrix': ['local', 'servers'],
  'infra/observability': [],
}

/** Libraries that only one room may know. */
const confined: Record<string, string> = {
  ioredis: 'packages/broker',
  pg: 'packages/store',
  'drizzle-orm': 'packages/store',
  hono: 'apps/gateway',
  'ipaddr.js': 'packages/webhook',
  pino: 'packages/process',
  '@prometheus-io/client': 'packages/process',
  '@opentelemetry': 'packages/process',
}

/** The benchmark's rivals are not the product: they speak to the servers without our rooms in between. */
const rivals = 'infra/bench'

test('imports are found at all', () => {
  expect(imports.length).toBeGreaterThan(100)
})

test('arrows go one way: apps to broker, store and client, and these to core', () => {
  const forbidden = imports.filter(({ workspace, file, from }) => {
    const target = /^@sekali\/([^/]+)/.exec(from)?.[1]
    return target !== undefined && !/\/test(-more)?\//.test(file) && !arrows[workspace]?.includes(target)
  })
  expect(forbidden).toEqual([])
})

test('every door of a package is used by the code of another workspace: what only its own files use stays inside', () => {
  const ofCode = imports.filter(({ file }) => !/\/test(-more)?\//.test(file))
  const used = new Set(ofCode.map(({ from }) => from))
  const ofTests = '@sekali/testkit/' // only tests use it
  const isPublished = (door: string) => door.split('/').length === 2 // whoever installs the package uses it
  expect(doors.size).toBeGreaterThan(50)
  const ofOurs = [...doors.keys()].filter((door) => !isPublished(door) && !door.startsWith(ofTests))
  expect(ofOurs.filter((door) => !used.has(door))).toEqual([])
})

test('redis, PostgreSQL, HTTP server and log library are each known to one room', () => {
  const strays = imports.filter(({ workspace, from }) => {
    const library = Object.keys(confined).find((name) => from === name || from.startsWith(`${name}/`))
    if (workspace === rivals && (library === 'pg' || library === 'ioredis')) return false
    return library !== undefined && confined[library] !== workspace
  })
  expect(strays).toEqual([])
})

test('core is pure: it imports valibot, itself and nothing else', () => {
  const strays = imports.filter(
    ({ file, from }) => file.startsWith('packages/core/src') && from !== 'valibot' && !from.startsWith('.'),
  )
  expect(strays).toEqual([])
})

test('definitions of projections do no I/O: their package imports core, valibot and nothing of Node', () => {
  const strays = imports.filter(
    ({ file, from }) =>
      file.startsWith('packages/projection/src') && !/^(valibot$|@sekali\/core\/|\.\.?\/)/.test(from),
  )
  expect(strays).toEqual([])
})

test('the client runs in a browser: it imports nothing of Node', () => {
  const strays = imports.filter(
    ({ file, from }) => file.startsWith('packages/client/src') && from.startsWith('node:'),
  )
  expect(strays).toEqual([])
})
