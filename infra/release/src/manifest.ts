/**
 * The package.json that is published lies in `dist`, beside what it names. The workspace's own stays as it is: private,
 * with doors to sources, so that plain `node` runs them in the clone.
 */
import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
import { InvalidConfig } from '@sekali/core/errors'
import { repositoryRoot } from '@sekali/local/repository'
import type { PublishedPackage } from './packages.ts'

export interface WorkspaceManifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly engines?: Readonly<Record<string, string>>
  readonly repository?: Repository
}

interface Repository {
  readonly type: string
  readonly url: string
}

export const readManifest = async (workspace: string): Promise<WorkspaceManifest> =>
  JSON.parse(await readFile(join(repositoryRoot, workspace, 'package.json'), 'utf8'))

/**
 * What a published manifest says of the repository: what the root's says, and the folder in it. npm compares it with where
 * CI says that it runs, and refuses provenance if it is another, or none.
 */
export function repositoryOf(workspace: string, { repository }: WorkspaceManifest): object {
  return repository === undefined ? {} : { repository: { ...repository, directory: workspace } }
}

/** Without `.js` and `.d.ts`: what is built is called as its source is. */
export const fileOf = (source: string): string => basename(source, '.ts')

/** What each published manifest has, whatever the package is. Throws InvalidConfig where the workspace lacks some of it. */
export async function commonFields(workspace: string) {
  const { name, version, license, description, keywords, engines } = await readManifest(workspace)
  if (description === undefined || engines === undefined) {
    throw new InvalidConfig(`${workspace}/package.json needs a description and engines: it is published`)
  }
  return {
    name,
    version,
    description,
    keywords,
    license,
    ...repositoryOf(workspace, await readManifest('.')),
    type: 'module',
    engines,
    publishConfig: { access: 'public', provenance: true },
  }
}

/** The manifest to publish. `imported` are the modules of others that the built files import. */
export async function manifestOf(
  { workspace, doors }: PublishedPackage,
  imported: Iterable<string>,
): Promise<object> {
  const dependencies = await versionsOf(imported)
  return {
    ...(await commonFields(workspace)),
    sideEffects: false,
    exports: Object.fromEntries(
      Object.entries(doors).map(([door, { source }]) => [
        door,
        { types: `./${fileOf(source)}.d.ts`, default: `./${fileOf(source)}.js` },
      ]),
    ),
    files: ['**/*.js', '**/*.d.ts'],
    ...(Object.keys(dependencies).length > 0 && { dependencies }),
  }
}

/** The packages behind imports, each in the version that is tested here. */
export async function versionsOf(imported: Iterable<string>): Promise<Record<string, string>> {
  const lock = JSON.parse(await readFile(join(repositoryRoot, 'package-lock.json'), 'utf8'))
  const names = [...imported].filter((id) => !isBuiltin(id)).map(packageOf)
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => [name, String(lock.packages[`node_modules/${name}`].version)]),
  )
}

/** `@scope/name/door` and `name/door` to the package. */
const packageOf = (id: string): string => id.split('/', id.startsWith('@') ? 2 : 1).join('/')
