import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface Import {
  /** `apps/gateway`, for instance. */
  readonly workspace: string
  /** The file that imports, from the root of the repository. */
  readonly file: string
  /** As it is written. */
  readonly from: string
  /** The file that is imported, if it is one of ours. */
  readonly target: string | undefined
}

const workspaceOf = (file: string): string => file.split('/', 2).join('/')

/** What the doors of our packages lead to: `@sekali/core/event` to its file. */
export const doors: ReadonlyMap<string, string> = new Map(
  globSync('{apps,packages,infra}/*/package.json', { cwd: root }).flatMap((manifest) => {
    const { name, exports = {} } = JSON.parse(readFileSync(join(root, manifest), 'utf8'))
    return Object.entries<string>(exports).map(([door, file]) => [
      door.replace('.', name),
      join(dirname(manifest), file),
    ])
  }),
)

export const files: readonly string[] = globSync(
  '{apps,packages,infra}/*/{src,test,test-more}/**/*.{ts,tsx}',
  {
    cwd: root,
  },
)

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

const specifiers = /(?:from |import |import\(|require\()'([^']+)'/g

/** All imports, those of types included. */
export const imports: readonly Import[] = files.flatMap((file) =>
  [...textOf(file).matchAll(specifiers)].map(([, from = '']) => ({
    workspace: workspaceOf(file),
    file,
    from,
    target: from.startsWith('.') ? join(dirname(file), from) : doors.get(from),
  })),
)

/** A way round from a node to itself, along the arrows; `undefined` if there is none. */
export function findCircle(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  function walk(node: string): string[] | undefined {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    path.push(node)
    for (const next of arrows.get(node) ?? []) {
      const circle = walk(next)
      if (circle) return circle
    }
    path.pop()
    done.add(node)
    return undefined
  }
  for (const node of arrows.keys()) {
    const circle = walk(node)
    if (circle) return circle
  }
  return undefined
}
