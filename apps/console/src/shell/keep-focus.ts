/**
 * Takes the focus to `main` when what had it is gone, such as the button that opened a dialog and was for what is done
 * now: else the next key would begin at the top of the page. Returns how to stop.
 */
export function keepFocus(main: HTMLElement): () => void {
  let last: EventTarget | null = null
  const onFocus = ({ target }: FocusEvent) => {
    last = target
  }
  const observer = new MutationObserver(() => {
    if (!(last instanceof Node) || last.isConnected || document.activeElement !== document.body) return
    main.focus({ preventScroll: true })
  })
  document.addEventListener('focusin', onFocus)
  observer.observe(document.body, { childList: true, subtree: true })
  return () => {
    document.removeEventListener('focusin', onFocus)
    observer.disconnect()
  }
}
