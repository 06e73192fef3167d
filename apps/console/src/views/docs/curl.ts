/** A request as a command that can be typed as it is. */
import type { Parameter, Route } from './document.ts'

interface CurlOptions {
  /** Of the gateway, with the prefix of a proxy; it ends with a slash. */
  readonly base: string
  /** Whether the gateway asks for a key. It comes from the variable SEKALI_TOKEN, and so never into the shell's history. */
  readonly withKey: boolean
}

export function curlOf(route: Route, { base, withKey }: CurlOptions): string {
  const { method, path, parameters = [], requestBody } = route
  const url = base + filled(path, parameters).replace(/^\//, '') + queryOf(parameters)
  const [body] = Object.entries(requestBody?.content ?? {})
  const isStream = path === '/tail'
  return [
    `curl ${isStream ? '-sN' : '-s'}${method === 'GET' ? '' : ` -X ${method}`} ${quoted(url)}`,
    withKey && route['x-sekali-scope'] !== 'none' && keyHeader,
    body && `-H ${quoted(`Content-Type: ${body[0]}`)}`,
    body && `-d ${quoted(bodyText(body[1].example))}`,
  ]
    .filter(Boolean)
    .join(' \\\n  ')
}

// With @ the key stays out of curl's arguments, which every user of the machine can list.
const keyHeader = `-H @<(printf 'Authorization: Bearer %s' "$SEKALI_TOKEN")`

const filled = (path: string, parameters: readonly Parameter[]): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((one) => one.in === 'path' && one.name === name)
    return encodeURIComponent(String(parameter?.example ?? name))
  })

/** What has to be there, and the topic: the other parameters need not go together. */
function queryOf(parameters: readonly Parameter[]): string {
  const query = new URLSearchParams()
  for (const { name, in: place, required, example } of parameters) {
    if (place === 'query' && (required || name === 'topic')) query.set(name, String(example ?? ''))
  }
  return query.size === 0 ? '' : `?${query}`
}

const bodyText = (example: unknown): string =>
  typeof example === 'string' ? example : JSON.stringify(example)

/** In a shell nothing in single quotes means anything but a single quote. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
