import { gatewayUrl } from '@sekali/process/gateway-url'
import { InvalidArgumentError } from 'commander'
import { time } from './time.ts'

/** A commander parser: a whole number in a range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

export function urlOfGateway(text: string): string {
  const mistake = explainUrl(text)
  if (mistake === undefined) return text
  throw new InvalidArgumentError(mistake)
}

/** Why a text is no URL of a gateway; undefined if it is one. */
export function explainUrl(text: string): string | undefined {
  if (!gatewayUrl.isValid(text)) return gatewayUrl.expected
  const { username, password } = new URL(text)
  // It would not be sent, and would be shown in messages.
  if (username + password !== '') return 'It must be without user and password: a token comes from a file.'
  return undefined
}

/** Where a tail begins; a time is wrapped, as a number is a seq, and two of them a seq of an epoch. */
export function beginning(
  text: string,
): 'start' | 'now' | number | `${number}.${number}` | { readonly time: string } {
  if (text === 'start' || text === 'now') return text
  if (/^\d{1,16}$/.test(text)) return Number(text)
  if (/^\d{1,10}\.\d{1,16}$/.test(text)) return text as `${number}.${number}`
  return { time: time(text) }
}
