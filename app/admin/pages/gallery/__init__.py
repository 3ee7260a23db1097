"""The template gallery: what there is to start from, how each reads, and what is made of it."""

from typing import Final

from app.admin.pages.declared import form, page
from app.admin.pages.gallery.listing import ROOT, show_gallery
from app.admin.pages.gallery.making import make, show_new
from app.admin.pages.gallery.one import apply, ask_deletion, delete, show_template

PAGES: Final = (
    page(ROOT, "templatesPage", "Templates", show_gallery),
    page(f"{ROOT}/new", "newTemplatePage", "Make a template from a workflow", show_new),
    form(f"{ROOT}/new", "newTemplateForm", "Make a template from a workflow", make),
    page(f"{ROOT}/{{id}}", "templatePage", "A template", show_template),
    form(f"{ROOT}/{{id}}/apply", "applyTemplateForm", "Make a workflow of a template", apply, conflicts=True),
    page(f"{ROOT}/{{id}}/delete", "deleteTemplatePage", "Ask whether a template is to be deleted", ask_deletion),
    form(f"{ROOT}/{{id}}/delete", "deleteTemplateForm", "Delete a template", delete),
)
