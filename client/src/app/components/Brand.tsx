/** The mark of Spellwork: three nodes joined as one stroke, a sigil that is a graph. */

export function BrandMark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M17.5 6.2C14.2 2.9 6.6 3.9 6.6 8.1c0 4.6 10.8 3.2 10.8 8 0 4.3-7.9 5.1-11.2 1.6"
        stroke="currentColor"
        strokeWidth="2.1"
        strokeLinecap="round"
      />
      <circle cx="18" cy="6.4" r="2.6" fill="var(--surface)" stroke="currentColor" strokeWidth="2" />
      <circle cx="6" cy="17.6" r="2.6" fill="var(--surface)" stroke="currentColor" strokeWidth="2" />
      <circle cx="12" cy="12" r="2.1" fill="currentColor" />
    </svg>
  );
}
