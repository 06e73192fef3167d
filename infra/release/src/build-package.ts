import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { InvalidConfig } from '@sekali/core/errors'
import { repositoryRoot } from '@sekali/local/repository'
import { type Bundle, bundle } from './bundle.ts'
import { manifestOf, readManifest } from './manifest.ts'
import type { PublishedPackage } from './packages.ts'

export interface Built {
  readonly name: string
  /** What `npm pack` packs, from the root. */
  readonly folder: string
  readonly gzipBytes: number
}

/** Builds one package: its files, manifest, README and licence. Throws InvalidConfig if it is too large. */
export async function buildPackage(one: PublishedPackage): Promise<Built> {
  const { workspace, gzipBytesMax } = one
  const dist = join(repositoryRoot, workspace, 'dist')
  const { name } = await readManifest(workspace)
  const built = await bundle(one)
  const gzipBytes = gzipBytesOf(built)
  if (gzipBytes > gzipBytesMax) {
    throw new InvalidConfig(
      `${name} has ${gzipBytes} bytes of compressed JavaScript, more than ${gzipBytesMax}`,
    )
  }
  const manifest = await manifestOf(one, built.imported)
  await Promise.all([
    writeFile(join(dist, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`),
    copyFile(join(repositoryRoot, workspace, 'README.md'), join(dist, 'README.md')),
    copyFile(join(repositoryRoot, 'LICENSE'), join(dist, 'LICENSE')),
  ])
  return { name, folder: `${workspace}/dist`, gzipBytes }
}

const gzipBytesOf = ({ files }: Bundle): number =>
  files.filter(({ name }) => name.endsWith('.js')).reduce((sum, { text }) => sum + gzipSync(text).length, 0)
