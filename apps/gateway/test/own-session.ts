/** A browser that has logged in, as far as a gateway can tell. */
import { expect } from 'vitest'
import { bearer } from './own-keys.ts'

/** What a browser adds to what a page of the gateway asks for. */
export const fromOwnPage = { 'Sec-Fetch-Site': 'same-origin' } as const

export const cookieIn = (response: Response): string =>
  String(response.headers.get('set-cookie')).split(';', 1)[0] ?? ''

/** Logs in with a key, and resolves with the cookie: `sekali_session=…`. */
export async function logIn(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/session`, { method: 'POST', headers: bearer(key) })
  expect(response.status).toBe(201)
  return cookieIn(response)
}

/** Asks as a page of the gateway does, with the cookie. */
export const askWith = (
  url: string,
  cookie: string,
  path: string,
  init: RequestInit & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> =>
  fetch(url + path, { ...init, headers: { Cookie: cookie, ...fromOwnPage, ...init.headers } })
