import { lstat, readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { ServerFailed } from '../errors.ts'

/** What the package lists in `native/pg-symlinks.json`: paths from its folder. */
interface LibraryLink {
  readonly source: string
  readonly target: string
}

/**
 * Makes the symbolic links by which PostgreSQL's programs find their libraries. npm leaves links out of a package, so this
 * package makes its own in an install script; but npm 12 runs no such script of a dependency unless it is told to, and
 * neither does `--ignore-scripts`. Does nothing where they are. Any number of processes may call it at once: making a link
 * is atomic. Throws {@link ServerFailed} with the remedy when this user may not write there.
 */
export async function linkLibraries(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as LibraryLink[]) {
    const link = join(folder, target)
    if (await isThere(link)) continue
    try {
      await symlink(relative(dirname(target), source), link)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') continue // another process was faster
      throw new ServerFailed(
        `PostgreSQL's programs need links to their libraries in ${dirname(link)}, and this user cannot make them ` +
          `(${code}). Have the owner of that folder run once:\n` +
          `  cd '${folder}' && node scripts/hydrate-symlinks.js\n` +
          'or set DATABASE_URL to a PostgreSQL of yours.',
        { cause: error },
      )
    }
  }
}

const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined)) !== undefined
