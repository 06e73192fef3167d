/** The path of the next page, or undefined: a Link is relative to the page that has it. */
export function nextOf(path: string, { headers }: Response): string | undefined {
  const [, target] = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '') ?? []
  if (target === undefined) return undefined
  const { pathname, search } = new URL(target, new URL(path, 'http://localhost'))
  return pathname + search
}
