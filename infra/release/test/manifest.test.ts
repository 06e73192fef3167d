import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { manifestOf } from '../src/manifest.ts'
import { packages } from '../src/packages.ts'

const [client] = packages
if (client === undefined) throw new Error('nothing is published')

test('a manifest names what was built, and where it runs, and is not private', async () => {
  const manifest = await manifestOf(client, [])
  expect(manifest).toMatchObject({
    name: '@sekali/client',
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: { '.': { types: './sdk.d.ts', default: './sdk.js' } },
    publishConfig: { access: 'public', provenance: true },
  })
  expect(manifest).not.toHaveProperty('private')
  expect(manifest).not.toHaveProperty('dependencies')
})

test('modules of others are dependencies, in the version that is tested here, and those of Node are not', async () => {
  const lock = JSON.parse(await readFile(new URL('../../../package-lock.json', import.meta.url), 'utf8'))
  const { version } = lock.packages['node_modules/valibot']
  expect(await manifestOf(client, ['node:fs', 'valibot', 'valibot/door'])).toMatchObject({
    dependencies: { valibot: version },
  })
})
