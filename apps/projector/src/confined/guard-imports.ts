import Module, { isBuiltin, type ResolveFnOutput, registerHooks } from 'node:module'
import { isBuilt, placeOf } from '@sekali/core/place'
import './files-for-definitions.ts'

/**
 * What definitions may import of ours. The package's own name is what they import elsewhere too, in a test for instance;
 * here it leads to the same module, which computes nothing.
 */
const forThem = '@sekali/projection'
const names = new Set([forThem, `${forThem}/define`])
const format = isBuilt ? 'module' : 'module-typescript'
const definition = {
  url: isBuilt ? new URL('./projection.mjs', import.meta.url).href : import.meta.resolve(`${forThem}/define`),
  format,
  shortCircuit: true,
}
const ours = [placeOf(import.meta.url, '../../..', '.').href, placeOf(definition.url, '../..', '.').href]

/**
 * Node's modules that definitions may import: those that only compute. A list of forbidden modules would miss some that
 * reach out: Node has modules that its manual does not name, such as `_tls_wrap`.
 */
const pure = [
  ...['assert', 'assert/strict', 'buffer', 'crypto', 'events', 'path', 'path/posix', 'path/win32', 'process'],
  ...['punycode', 'querystring', 'string_decoder', 'url', 'util', 'util/types'],
] as const
const allowed = new Set<string>(pure.map((name) => `node:${name}`))

/** The objects of these modules, which all definitions share, so that they can be locked. */
export const importPure = (): Promise<object[]> =>
  Promise.all(pure.map(async (name) => ((await import(`node:${name}`)) as { default: object }).default))

/** Definitions read files by path alone. Node's `fs` also reads and writes open files, such as the channel to the projector. */
const files = {
  url: placeOf(import.meta.url, './files-for-definitions.ts', './files-for-definitions.mjs').href,
  format,
  shortCircuit: true,
}

/**
 * `import … from '@sekali/projection'` works in a folder outside of the repository, too, and so does the older
 * `import … from '@sekali/projection/define'`. Other imports are refused: modules of ours, because a definition could
 * change them, and modules that reach the network.
 */
export function guardImports(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const isFromUs = ours.some((folder) => context.parentURL?.startsWith(folder))
      if (specifier === 'fs' || specifier === 'node:fs') return isFromUs ? next(specifier, context) : files
      // Also where a package of that name lies beside them: all definitions go by the same rules.
      if (names.has(specifier) && !isFromUs) return definition
      const resolved = next(specifier, context)
      // By the module that was found, not by the name that was written.
      if (isBuiltin(resolved.url) && !allowed.has(`node:${resolved.url.replace(/^node:/, '')}`)) {
        throw new Error(`${specifier} is not for definitions: key and apply must be pure`)
      }
      const isOurs = ours.some((folder) => resolved.url.startsWith(folder))
      if (isOurs && !isFromUs && resolved.url !== definition.url) {
        throw new Error(`${specifier} is not for definitions: of ours they import ${forThem}`)
      }
      return { ...resolved, format: formatOf(resolved, isFromUs && specifier.startsWith('file:')) }
    },
  })
  lockLoader()
}

/**
 * Definitions are modules, whatever the package.json above them says: `npm init -y` writes `"type": "commonjs"`. So is what
 * they import in TypeScript. A file that says what it is by its name, `.cts` or `.cjs`, is that.
 */
function formatOf({ format, url }: ResolveFnOutput, isDefinition: boolean): string | null | undefined {
  if (/\.c[jt]s(\?|$)/.test(url)) return format
  if (format === 'commonjs-typescript') return 'module-typescript'
  return format === 'commonjs' && isDefinition ? 'module' : format
}

/** CommonJS modules reach the loader as `module.constructor`. */
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
