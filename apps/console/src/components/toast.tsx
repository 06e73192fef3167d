import { signal } from '@preact/signals'
import { visible } from '../text/visible.ts'

interface Toast {
  readonly id: number
  readonly words: string
  readonly tone: 'ok' | 'problem'
}

const toasts = signal<readonly Toast[]>([])
const shownMs = 6_000
let last = 0

/** Says for some seconds what came of something. It is also read out. */
export function announce(words: string, tone: Toast['tone'] = 'ok'): void {
  const id = ++last
  toasts.value = [...toasts.value.slice(-3), { id, words, tone }]
  setTimeout(() => {
    toasts.value = toasts.value.filter((toast) => toast.id !== id)
  }, shownMs)
}

/** Is there once, from the beginning: a region that comes with its words is not read out. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, words, tone }) => (
        <p key={id} class={`toast tone-${tone}`}>
          {visible(words)}
        </p>
      ))}
    </div>
  )
}
