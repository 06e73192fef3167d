import { split, unquoted } from './quoted.ts'

/** What a client prefers (RFC 7240). A preference that makes no sense is ignored (2). */
export interface Preferences {
  /** How many seconds it will wait for the outcome (4.3). */
  readonly waitSeconds: number | undefined
  /** Whether the good events of many are to be taken although some are bad (4.4). */
  readonly isLenient: boolean
}

/** The longest wait, in seconds. */
const waitSecondsMax = 60
const none: Preferences = { waitSeconds: undefined, isLenient: false }

/** A name, and a value if there is one. The parameters after them belong to this preference alone (RFC 7240, 2). */
const preference = /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:([^\s",;]+|"(?:[^"\\]|\\.)*")\s*)?)?(?:;|$)/

/** The preferences of a header, in lower case; what is no preference is left out. */
function* preferencesIn(prefer: string): Generator<readonly [name: string, value: string]> {
  for (const member of split(prefer.toLowerCase(), ',')) {
    const [, name, value = ''] = preference.exec(member) ?? []
    if (name !== undefined) yield [name, unquoted(value)]
  }
}

/** Of a preference that comes twice the first counts (2). */
export function readPreferences(prefer: string | readonly string[] | undefined): Preferences {
  if (prefer === undefined) return none
  const values = new Map<string, string>()
  for (const [name, value] of preferencesIn(String(prefer))) {
    if (isKnown(name, value) && !values.has(name)) values.set(name, value)
  }
  const wait = values.get('wait')
  return {
    waitSeconds: wait === undefined ? undefined : Math.min(Number(wait), waitSecondsMax),
    isLenient: values.get('handling') === 'lenient',
  }
}

const isKnown = (name: string, value: string): boolean =>
  name === 'wait' ? /^\d+$/.test(value) : name === 'handling' && /^(?:strict|lenient)$/.test(value)

/** The header that names the preferences that were followed (3). */
export function applied({ waitSeconds, isLenient }: Partial<Preferences>): Readonly<Record<string, string>> {
  const followed = [
    ...(isLenient ? ['handling=lenient'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]),
  ]
  return followed.length === 0 ? {} : { 'Preference-Applied': followed.join(', ') }
}

/** Whether a client wants lines that count how far its replay is, and when it is complete. An empty value is none (2). */
export const prefersProgress = (prefer = ''): boolean =>
  preferencesIn(prefer).some(([name, value]) => name === 'progress' && value === '')
