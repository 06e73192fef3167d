/** Where one is, and how to go elsewhere. */
import { computed, signal } from '@preact/signals'
import { linkTo, parseRoute, type Query } from './url.ts'

const hash = signal(location.hash)
addEventListener('hashchange', () => {
  hash.value = location.hash
})

export const route = computed(() => parseRoute(hash.value))

/** Goes to another view. With `replace` there is no way back to where one was, as while somebody types a filter. */
export function goTo(url: string, { replace = false } = {}): void {
  if (url === location.hash) return
  history[replace ? 'replaceState' : 'pushState'](null, '', url)
  hash.value = url
}

/** The same view with other values in its query; `undefined` takes one away. */
export function withQuery(changes: Query): string {
  const { segments, query } = route.value
  return linkTo(segments, { ...Object.fromEntries(query), ...changes })
}
