import type { TargetedKeyboardEvent } from 'preact'

/** Of a list or a table: the arrow keys go from row to row, to what stands at the same place there. */
export function moveByArrows(event: TargetedKeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const focused = event.target as HTMLElement
  const row = focused.closest('tr, li')
  if (step === 0 || row === null) return
  const next = step === 1 ? row.nextElementSibling : row.previousElementSibling
  const place = targetsOf(row).indexOf(focused)
  const targets = targetsOf(next)
  const target = targets[place] ?? targets[0]
  if (target === undefined) return
  event.preventDefault()
  target.focus()
}

const targetsOf = (row: Element | null): HTMLElement[] => [
  ...(row?.querySelectorAll<HTMLElement>('a, button') ?? []),
]
