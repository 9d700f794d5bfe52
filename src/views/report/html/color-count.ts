/** How many entrants have a colour of their own; those beyond share them, with dashed lines (style.css has the colours). */
export const colorCount = 8;
