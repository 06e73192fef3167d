import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { InvalidConfig } from '@sekali/core/errors'
import { repositoryRoot } from '@sekali/local/repository'
import { type Bundle, bundle } from './bundle.ts'
import { fileOf, manifestOf, readManifest } from './manifest.ts'
import type { PublishedPackage } from './packages.ts'

export interface Built {
  readonly name: string
  /** What `npm pack` packs, from the root. */
  readonly folder: string
  /** Of each door. */
  readonly gzipBytes: Readonly<Record<string, number>>
}

/** Builds one package: its files, manifest, README and licence. Throws InvalidConfig if a door is too large. */
export async function buildPackage(one: PublishedPackage): Promise<Built> {
  const { workspace, doors } = one
  const dist = join(repositoryRoot, workspace, 'dist')
  const { name } = await readManifest(workspace)
  const built = await bundle(one)
  const gzipBytes: Record<string, number> = {}
  for (const [door, { source, gzipBytesMax }] of Object.entries(doors)) {
    const bytes = gzipBytesOf(built, `${fileOf(source)}.js`)
    gzipBytes[door] = bytes
    if (bytes > gzipBytesMax) {
      const what = door === '.' ? name : `${name}${door.slice(1)}`
      throw new InvalidConfig(
        `${what} has ${bytes} bytes of compressed JavaScript, more than ${gzipBytesMax}`,
      )
    }
  }
  const manifest = await manifestOf(one, built.imported)
  await Promise.all([
    writeFile(join(dist, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`),
    copyFile(join(repositoryRoot, workspace, 'README.md'), join(dist, 'README.md')),
    copyFile(join(repositoryRoot, 'LICENSE'), join(dist, 'LICENSE')),
  ])
  return { name, folder: `${workspace}/dist`, gzipBytes }
}

function gzipBytesOf({ files }: Bundle, name: string): number {
  const file = files.find((one) => one.name === name)
  if (file === undefined) throw new Error(`${name} is not among the files that were built`)
  return gzipSync(file.text).length
}
