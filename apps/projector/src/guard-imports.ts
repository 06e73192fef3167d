import { registerHooks } from 'node:module'

/** What a definition is written with; everything else of ours is not its business. */
const forThem = '@sekali/projection/define'
const definition = import.meta.resolve(forThem)
const ours = [new URL('../..', import.meta.url).href, new URL('../..', definition).href]

// A fold that needs one of these is not pure. It is also what Node's permissions have no rule for.
const impure = new Set(
  [
    ...['child_process', 'cluster', 'dgram', 'dns', 'dns/promises', 'http', 'http2', 'https', 'inspector'],
    ...['inspector/promises', 'module', 'net', 'repl', 'tls', 'v8', 'vm', 'wasi', 'worker_threads'],
  ].flatMap((name) => [name, `node:${name}`]),
)

/**
 * `import … from '@sekali/projection/define'` works in a folder outside of the repository, too. Other modules of ours
 * would let a definition change them, as those for the network would let it reach others.
 */
export function guardImports(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (impure.has(specifier))
        throw new Error(`${specifier} is not for definitions: key and apply must be pure`)
      const resolved = next(
        specifier,
        specifier === forThem ? { ...context, parentURL: import.meta.url } : context,
      )
      const isOurs = ours.some((folder) => resolved.url.startsWith(folder))
      const isFromUs = ours.some((folder) => context.parentURL?.startsWith(folder))
      if (isOurs && !isFromUs && resolved.url !== definition) {
        throw new Error(`${specifier} is not for definitions: of ours they import ${forThem}`)
      }
      return resolved
    },
  })
}
