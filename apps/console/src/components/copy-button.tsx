import { Button } from './basics.tsx'
import { announce } from './toast.tsx'

/** Copies a text. Where the page did not come by TLS or from this machine, browsers have no clipboard. */
export function CopyButton({ text, words = 'Copy' }: { text: string; words?: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      announce('Copied')
    } catch {
      announce('This browser does not let the page copy: select the text instead', 'problem')
    }
  }
  return (
    <Button kind="quiet" onClick={() => void copy()}>
      {words}
    </Button>
  )
}
