import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { visible } from '../text/visible.ts'

interface DialogProps {
  readonly title: string
  readonly isOpen: boolean
  /** Also when it is left with Escape. */
  readonly onClose: () => void
  readonly children: ComponentChildren
  /** The buttons, the one that does it last. */
  readonly actions: ComponentChildren
}

/** The browser's own dialog: it keeps the focus inside, and gives it back. */
export function Dialog({ title, isOpen, onClose, children, actions }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = element.current
    if (isOpen && !dialog?.open) dialog?.showModal()
    if (isOpen || !dialog?.open) return
    dialog.close()
    // What opened it is gone
    if (document.activeElement === document.body) document.getElementById('main')?.focus()
  }, [isOpen])
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose}>
      {isOpen && (
        <div class="dialog">
          <h2 id={id}>{visible(title)}</h2>
          <div class="dialog-words">{children}</div>
          <div class="dialog-actions">{actions}</div>
        </div>
      )}
    </dialog>
  )
}
