import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { repositoryRoot } from '@sekali/local/repository'
import { applyEdit, type Mutant } from './mutant.ts'

const left = new Set(['node_modules', '.git', '.turbo', '.sekali', '.env'])

/**
 * A copy of the repository in `folder`. Its packages are its own; what comes from elsewhere is linked to.
 * `node_modules` cannot be one link, because through it the copy would find the packages of the original.
 */
export async function copyTree(folder: string): Promise<void> {
  await cp(repositoryRoot, folder, { recursive: true, filter: (path) => !left.has(basename(path)) })
  const modules = join(repositoryRoot, 'node_modules')
  await mkdir(join(folder, 'node_modules', '@sekali'), { recursive: true })
  for (const name of await readdir(modules)) {
    if (name !== '@sekali') await symlink(join(modules, name), join(folder, 'node_modules', name))
  }
  for (const name of await readdir(join(modules, '@sekali'))) {
    const own = await Promise.all(['apps', 'packages', 'infra'].map((room) => readdir(join(folder, room))))
    const room = ['apps', 'packages', 'infra'].find((_, at) => own[at]?.includes(name))
    if (room === undefined) continue
    await symlink(join(folder, room, name), join(folder, 'node_modules', '@sekali', name))
  }
}

/** Breaks the tree in `folder`; disposing mends it. Throws when the mutant does not apply, and changes nothing then. */
export async function applyMutant(folder: string, { edits }: Mutant): Promise<AsyncDisposable> {
  const before = new Map<string, string>()
  const after = new Map<string, string>()
  for (const edit of edits) {
    const path = join(folder, edit.file)
    const text = after.get(path) ?? (await readFile(path, 'utf8'))
    if (!before.has(path)) before.set(path, text)
    after.set(path, applyEdit(text, edit))
  }
  for (const [path, text] of after) await writeFile(path, text)
  return {
    [Symbol.asyncDispose]: async () => {
      for (const [path, text] of before) await writeFile(path, text)
    },
  }
}
