/** Begins a line in which a process tells of an answer that is not as described. */
export const violationMark = 'undescribed answer: '
