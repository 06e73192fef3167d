/**
 * The console's own URLs lie behind `#`, as in `./#/topics/orders.eu?sort=-rate`: they cannot clash with paths of the API,
 * and they work behind any prefix that a proxy puts before the path.
 */
export interface Route {
  /** Of the path, decoded. The overview has none. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
}

export type Query = Readonly<Record<string, string | undefined>>

/** What is no URL of ours, because its escapes are broken, has one segment that no view has. */
export function parseRoute(text: string): Route {
  const [path = '', query = ''] = text.replace(/^#?\/?/, '').split(/\?(.*)/s)
  try {
    return {
      segments: path.split('/').filter(Boolean).map(decodeURIComponent),
      query: new URLSearchParams(query),
    }
  } catch {
    return { segments: ['%'], query: new URLSearchParams() }
  }
}

/** The URL of a view: each segment and each value may be any text. Values that are undefined or empty are left out. */
export function linkTo(segments: readonly string[], query: Query = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const path = `#/${segments.map(encodeURIComponent).join('/')}`
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
