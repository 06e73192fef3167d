/**
 * What is given to the client, checked before anything is sent. TypeScript says the same earlier; from JavaScript a wrong
 * argument would be a TypeError from inside, a request for `/topics/undefined`, or a timer that never waits.
 */
import { InvalidConfig } from '@sekali/core/errors'

/** The longest that a timer can wait; with more than that it does not wait at all. */
export const timerMsMax = 2 ** 31 - 1

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function requireObject(value: unknown, message: string): void {
  if (!isObject(value)) throw new InvalidConfig(message)
}

export function requireText(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return
  throw new InvalidConfig(`${name} must be a string that is not empty`)
}

export function requireWhole(name: string, value: unknown, min: number, max: number): void {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return
  throw new InvalidConfig(`${name} must be a whole number from ${min} to ${max}`)
}

export function requireMs(name: string, value: unknown, max: number): void {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= max)) return
  const bound = max === Infinity ? '0 or more' : `from 0 to ${max}`
  throw new InvalidConfig(`${name} must be a number of milliseconds, ${bound}`)
}

export function requireFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw new InvalidConfig(`${name} must be a function`)
}

/** A misspelt option would have no effect: a wait that is none, or, of a misspelt baseUrl, another gateway. */
export function requireKnown(what: string, options: object, names: readonly string[]): void {
  const stranger = Object.keys(options).find((name) => !names.includes(name))
  if (stranger === undefined) return
  throw new InvalidConfig(`${what} has no option "${stranger}", only ${names.join(', ')}`)
}

/** What every call takes, as it was given, and what this one takes besides. */
export function checkedCall<Options extends object>(
  options: Options | undefined,
  ...own: readonly Exclude<keyof Options, 'signal' | 'onRetry'>[]
): Options | undefined {
  if (options === undefined) return undefined
  requireObject(options, 'options must be an object')
  requireKnown('this call', options, ['signal', 'onRetry', ...own.map(String)])
  const { signal, onRetry }: { readonly signal?: unknown; readonly onRetry?: unknown } = options
  requireFunction('onRetry', onRetry)
  if (signal === undefined || isSignal(signal)) return options
  throw new InvalidConfig('signal must be an AbortSignal, as a controller has')
}

/** Not instanceof: a test's page, for instance, has an AbortSignal of its own. */
function isSignal(value: unknown): boolean {
  const { throwIfAborted, addEventListener } = isObject(value) ? (value as Partial<AbortSignal>) : {}
  return typeof throwIfAborted === 'function' && typeof addEventListener === 'function'
}

/** What a read takes besides. */
export function checkQuery(query: object | undefined): void {
  if (query !== undefined) requireObject(query, 'a query must be an object, for instance { topic }')
}
