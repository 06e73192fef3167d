import Module, { isBuiltin, registerHooks } from 'node:module'
import './files-for-definitions.ts'

/** What a definition is written with; everything else of ours is not its business. */
const forThem = '@sekali/projection/define'
const definition = import.meta.resolve(forThem)
const ours = [new URL('../../..', import.meta.url).href, new URL('../..', definition).href]

/**
 * All of Node's modules that definitions may have, with what they import: those that compute. A list of what they may not
 * have would miss the next one that reaches out: Node has modules without a name in its manual, such as `_tls_wrap`.
 */
const pure = [
  ...['assert', 'assert/strict', 'buffer', 'crypto', 'events', 'path', 'path/posix', 'path/win32', 'process'],
  ...['punycode', 'querystring', 'string_decoder', 'url', 'util', 'util/types'],
] as const
const allowed = new Set<string>(pure.map((name) => `node:${name}`))

/** What definitions share of these modules, for whoever locks it. */
export const importPure = (): Promise<object[]> =>
  Promise.all(pure.map(async (name) => ((await import(`node:${name}`)) as { default: object }).default))

/** They get files by path alone. Node's `fs` also reads and writes what is open, such as the channel to the projector. */
const files = import.meta.resolve('./files-for-definitions.ts')

/**
 * `import … from '@sekali/projection/define'` works in a folder outside of the repository, too. Other modules of ours
 * would let a definition change them, as those for the network would let it reach others.
 */
export function guardImports(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const isFromUs = ours.some((folder) => context.parentURL?.startsWith(folder))
      if (specifier === 'fs' || specifier === 'node:fs')
        return isFromUs
          ? next(specifier, context)
          : { url: files, format: 'module-typescript', shortCircuit: true }
      const resolved = next(
        specifier,
        specifier === forThem ? { ...context, parentURL: import.meta.url } : context,
      )
      // Of what it comes to, not of how it is called.
      if (isBuiltin(resolved.url) && !allowed.has(`node:${resolved.url.replace(/^node:/, '')}`)) {
        throw new Error(`${specifier} is not for definitions: key and apply must be pure`)
      }
      const isOurs = ours.some((folder) => resolved.url.startsWith(folder))
      if (isOurs && !isFromUs && resolved.url !== definition) {
        throw new Error(`${specifier} is not for definitions: of ours they import ${forThem}`)
      }
      return resolved
    },
  })
  lockLoader()
}

/** CommonJS has the loader in hand, as `module.constructor`. */
function lockLoader(): void {
  const later = [
    'registerHooks',
    'register',
    'syncBuiltinESMExports',
    'enableCompileCache',
    'flushCompileCache',
  ]
  for (const name of later) Reflect.deleteProperty(Module, name)
  const { _extensions: extensions } = Module as unknown as { _extensions: object }
  for (const part of [Module, Module.prototype, extensions]) Object.freeze(part)
}
