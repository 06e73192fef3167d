import { useState } from 'preact/hooks'
import { copyText } from '../text/copy.ts'
import { Button } from './basics.tsx'
import { announce } from './toast.tsx'

interface CopyButtonProps {
  readonly text: string
  readonly words?: string
  /** What is copied, where several buttons have the same words. */
  readonly of?: string
}

/** Copies a text, and says whether it did. */
export function CopyButton({ text, words = 'Copy', of }: CopyButtonProps) {
  const [copied, setCopied] = useState<string>()
  const copy = async () => {
    const isCopied = await copyText(text)
    setCopied(isCopied ? text : undefined)
    if (isCopied) announce('Copied')
    else announce('This browser does not let the page copy: select the text instead', 'problem')
  }
  return (
    <Button kind="quiet" aria-label={of && `${words} ${of}`} onClick={() => void copy()}>
      {copied === text ? 'Copied' : words}
    </Button>
  )
}
