"""One file a tab. A new one is a module with NAME and build(room), and its line here."""

from studio.tabs import caption, gallery, image, queue, speech

TABS = (image, speech, caption, gallery, queue)
