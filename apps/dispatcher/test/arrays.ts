/** What is in a body that is an array of events, whose payloads have numbers. */
import type { Received } from './receiver.ts'

export const numbered = (n: number) => ({ payload: `{"n":${n}}` })

export const countOf = ({ headers }: Received) => Number(headers['sekali-count'])

export const numbersOf = ({ body }: Received): number[] =>
  JSON.parse(body).map((event: { readonly data: { readonly n: number } }) => event.data.n)
