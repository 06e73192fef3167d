import type { ComponentChildren } from 'preact'
import type { Action } from '../http/use-action.ts'
import { Button } from './basics.tsx'
import { Dialog } from './dialog.tsx'
import { ProblemBanner } from './problem-banner.tsx'

interface ConfirmProps {
  readonly title: string
  readonly isOpen: boolean
  readonly onClose: () => void
  /** What happens, and whether it can be undone. */
  readonly children: ComponentChildren
  /** Of the button that does it. */
  readonly words: string
  readonly action: Pick<Action<[]>, 'run' | 'isBusy' | 'problem'>
  readonly kind?: 'primary' | 'danger'
  readonly disabled?: boolean
}

/** Asks before something is done, and says there why it could not be. */
export function Confirm({ action, kind = 'danger', words, disabled, ...props }: ConfirmProps) {
  const { title, isOpen, onClose, children } = props
  return (
    <Dialog
      title={title}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button kind={kind} busy={action.isBusy} disabled={disabled} onClick={() => action.run()}>
            {words}
          </Button>
        </>
      }
    >
      {children}
      <ProblemBanner problem={action.problem} />
    </Dialog>
  )
}
