/**
 * The parameters of `topics/:topic` in a path's segments; undefined if it is another path, or if one of them has not the
 * shape that it must have.
 */
export function matchPath(
  path: string,
  segments: readonly string[],
  shapes: Readonly<Record<string, RegExp>> = {},
): Record<string, string> | undefined {
  const parts = path.split('/').filter(Boolean)
  if (parts.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, part] of parts.entries()) {
    const segment = segments[at] ?? ''
    const name = part.startsWith(':') ? part.slice(1) : undefined
    if (name === undefined ? part !== segment : shapes[name]?.test(segment) === false) return undefined
    if (name !== undefined) params[name] = segment
  }
  return params
}
