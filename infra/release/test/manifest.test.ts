import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { manifestOf, readManifest, repositoryOf } from '../src/manifest.ts'
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

test('the repository is the one that the root names, and the folder in it', async () => {
  const root = await readManifest('.')
  const repository = { type: 'git', url: 'git+https://code.example/sekali.git' }
  expect(repositoryOf('packages/client', { ...root, repository })).toEqual({
    repository: { ...repository, directory: 'packages/client' },
  })
  const manifest = await manifestOf(client, [])
  expect(manifest).toMatchObject(repositoryOf('packages/client', root))
  if (root.repository === undefined) expect(manifest).not.toHaveProperty('repository')
})
