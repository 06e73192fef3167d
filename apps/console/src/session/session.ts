/** Who one is to the gateway, and so what the console offers. The gateway decides again at each request. */
import { computed, effect, signal } from '@preact/signals'
import type { Scope } from '@sekali/core/access'
import { call, getJson, isLoginDue } from '../http/call.ts'
import { Problem } from '../http/problem.ts'

/** The answer of `GET /session`. */
export interface Session {
  /** `off`: nobody is asked for a key, and everybody may do everything. */
  readonly auth: 'off' | 'keys'
  /** The id of the key, or the subject of a token; null where nobody is asked for one. */
  readonly holder: string | null
  readonly scopes: readonly Scope[]
  /** Topics and patterns. */
  readonly topics: readonly string[]
  /** When that ends; null if it does not. */
  readonly until: string | null
}

/** undefined until the gateway has answered, and while nobody is logged in. */
export const session = signal<Session | undefined>(undefined)

// A session ends without this page: by its time, or because its key was revoked
effect(() => {
  if (isLoginDue.value) session.value = undefined
})

/** Whether one may see and do what concerns all topics. */
export const isForAllTopics = computed(() => session.value?.topics.includes('>') ?? false)

/** The patterns that a key is bound to; none if it may see all topics, or until that is known. */
export const ownPatterns = computed(() => (isForAllTopics.value ? [] : (session.value?.topics ?? [])))

export const may = (scope: Scope): boolean => session.value?.scopes.includes(scope) ?? false

/** Throws {@link Problem} as `call` does; with 401 the login is due. */
export async function readSession(signal?: AbortSignal): Promise<void> {
  session.value = await getJson<Session>('session', signal)
}

/** What a header can carry, and so all that a key or a token can have. */
const keyText = /^[\x21-\x7e]+$/

/** Changes a key for the cookie of a session. The key is kept nowhere. */
export async function logIn(key: string): Promise<void> {
  if (!keyText.test(key)) {
    throw new Problem(0, 'no_key', 'This is not a whole key: it has a space, or a character that no key has.')
  }
  const { text } = await call('session', { method: 'POST', headers: { Authorization: `Bearer ${key}` } })
  session.value = JSON.parse(text) as Session
  isLoginDue.value = false
}

export async function logOut(): Promise<void> {
  await call('session', { method: 'DELETE' })
  isLoginDue.value = true
}
