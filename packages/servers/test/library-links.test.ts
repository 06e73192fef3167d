import { mkdir, readFile, readlink, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linkLibraries } from '../src/postgres/library-links.ts'
import { ownFolder } from './folder.ts'

/** The package as npm unpacks it when it runs no install scripts. */
async function unpacked(folder: string): Promise<void> {
  await mkdir(join(folder, 'native', 'lib'), { recursive: true })
  await writeFile(join(folder, 'native', 'lib', 'libicuuc.so.60.2'), 'library')
  const links = ['libicuuc.so', 'libicuuc.so.60'].map((name) => ({
    source: 'native/lib/libicuuc.so.60.2',
    target: `native/lib/${name}`,
  }))
  await writeFile(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links))
}

test('the links to libraries that an install script would have made are made, by many processes at once', async () => {
  await using folder = await ownFolder()
  await unpacked(folder.path)
  await Promise.all(Array.from({ length: 8 }, () => linkLibraries(folder.path)))
  for (const name of ['libicuuc.so', 'libicuuc.so.60']) {
    expect(await readlink(join(folder.path, 'native', 'lib', name))).toBe('libicuuc.so.60.2')
    expect(await readFile(join(folder.path, 'native', 'lib', name), 'utf8')).toBe('library')
  }
})

test('links that are there stay as they are, and a package without a list needs none', async () => {
  await using folder = await ownFolder()
  await unpacked(folder.path)
  await writeFile(join(folder.path, 'native', 'lib', 'libicuuc.so'), 'of the install script')
  await linkLibraries(folder.path)
  expect(await readFile(join(folder.path, 'native', 'lib', 'libicuuc.so'), 'utf8')).toBe(
    'of the install script',
  )
  await expect(linkLibraries(join(folder.path, 'native'))).resolves.toBeUndefined()
})

test('where they cannot be made the message has the command that makes them', async () => {
  await using folder = await ownFolder()
  await unpacked(folder.path)
  await rename(join(folder.path, 'native', 'lib'), join(folder.path, 'native', 'elsewhere'))
  await expect(linkLibraries(folder.path)).rejects.toThrow(
    `cd '${folder.path}' && node scripts/hydrate-symlinks.js`,
  )
})
